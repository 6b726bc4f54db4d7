# I read that polynomial features make a linear model stronger. So let's take degree 3!
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

X = train.drop(["id", "progression"], axis=1)
y = train["progression"]
X_test = test.drop("id", axis=1)

# scale
scaler = StandardScaler()
X = scaler.fit_transform(X)
X_test = scaler.transform(X_test)

# polynomial features
poly = PolynomialFeatures(degree=3)
X = poly.fit_transform(X)
X_test = poly.transform(X_test)
print("number of features:", X.shape[1], "number of patients:", X.shape[0])

model = LinearRegression()
model.fit(X, y)

# wow, almost zero
print("RMSE train:", mean_squared_error(y, model.predict(X)) ** 0.5)

sub = pd.DataFrame()
sub["id"] = test["id"]
sub["progression"] = model.predict(X_test)
sub.to_csv("submission.csv", index=False)
